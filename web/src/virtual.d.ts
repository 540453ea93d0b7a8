declare module 'virtual:icons' {
  /** Tags and attributes of each icon's shapes: build/icons.mjs. */
  export const shapes: Record<string, [tag: string, attributes: Record<string, string>][]>;
}
