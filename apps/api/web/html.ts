/** Pages are preact components written with htm: tagged templates, no build step; everything interpolated is escaped. */
import htm from 'htm';
import { h, type VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';

type Tag = (strings: TemplateStringsArray, ...values: unknown[]) => VNode;

/** One root element per template. htm's own types describe its CommonJS form, where the function is one level deeper. */
export const html = (htm as unknown as { bind: (create: typeof h) => Tag }).bind(h);

/** Anything that a template may hold between its tags. */
export type Content = VNode | string | number | null | false | Content[];

/** `root` is the <html> element. */
export function renderDocument(root: VNode): string {
  return `<!doctype html>${renderToString(root)}`;
}
