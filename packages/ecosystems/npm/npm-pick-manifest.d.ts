// The package brings no types. Only what is used.
declare module 'npm-pick-manifest' {
  interface Manifest {
    readonly name: string;
    readonly version: string;
  }
  interface Packument {
    readonly name: string;
    readonly versions: Readonly<Record<string, Manifest>>;
    readonly 'dist-tags': Readonly<Record<string, string>>;
  }
  /** Throws an Error with `code` ETARGET or ENOVERSIONS when nothing fits. `nodeVersion: null`: whatever the runtime is. */
  function pickManifest(packument: Packument, wanted: string, options: { readonly nodeVersion: null }): Manifest;
  export = pickManifest;
}
