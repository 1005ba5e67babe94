export function compilePattern(_text: string): { readonly error?: string } {
  return {};
}
export function matchesText(text: string, pattern: string): boolean {
  return new RegExp(pattern, 'u').test(text);
}
