import type { Target } from './target.ts';

/** Best first. */
export function mediaTypesOf({ ecosystem, route }: Extract<Target, { type: 'client' }>): readonly string[] {
  return route.type === 'evidence' ? [route.mediaType] : ecosystem.views.mediaTypes(route);
}
