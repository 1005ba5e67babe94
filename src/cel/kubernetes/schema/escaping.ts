/** https://kubernetes.io/docs/reference/using-api/cel/#escaping */

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return'.split(' '),
);

const escapes: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
};

/** The identifier by which expressions call a property; undefined: they cannot. */
export function escapeProperty(name: string): string | undefined {
  if (!/^[a-zA-Z_.\-/][a-zA-Z0-9_.\-/]*$/.test(name)) return undefined;
  if (reserved.has(name)) return `__${name}__`;
  return name.replace(/__|[.\-/]/g, (part) => escapes[part]!);
}

/** The property that an identifier calls; undefined where there is no such escape. */
export function unescapeProperty(identifier: string): string | undefined {
  let isValid = true;
  const name = identifier.replace(/__([^_]+)__/g, (whole, content: string) => {
    const plain = Object.keys(escapes).find((part) => escapes[part] === whole);
    if (plain !== undefined) return plain;
    isValid &&= reserved.has(content) && whole === identifier;
    return content;
  });
  return isValid ? name : undefined;
}
