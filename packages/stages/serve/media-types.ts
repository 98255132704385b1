import type { Target } from './target.ts';

/** Best first. */
export function mediaTypesOf({ ecosystem, route }: Extract<Target, { type: 'client' }>): readonly string[] {
  switch (route.type) {
    case 'evidence':
      return [route.mediaType];
    case 'question':
      return [];
    case 'root':
    case 'package':
    case 'fixed':
    case 'artifact':
    case 'companion':
      return ecosystem.views.mediaTypes(route);
  }
}
