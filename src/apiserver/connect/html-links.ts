/** Attributes that hold links, by tag, as HTML defines them. */
const linkAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};

const tag = /<([a-zA-Z][a-zA-Z0-9]*)\b[^>]*>/g;
const attribute = /(\s)([a-zA-Z-]+)(\s*=\s*)("[^"]*"|'[^']*')/g;

/** A page behind a proxy with its absolute links led through the proxy: `/x` becomes `PREFIX/x`. */
export function rewriteLinks(html: string, prefix: string): string {
  return html.replace(tag, (whole, name: string) => {
    const attributes = linkAttributes[name.toLowerCase()];
    if (attributes === undefined) return whole;
    return whole.replace(attribute, (part, space: string, key: string, equals: string, quoted: string) => {
      if (!attributes.includes(key.toLowerCase())) return part;
      return `${space}${key}${equals}${quoted[0]}${rewriteLink(quoted.slice(1, -1), prefix)}${quoted[0]}`;
    });
  });
}

/** Only paths on the same host are led through the proxy; other hosts and relative links are right as they are. */
export function rewriteLink(link: string, prefix: string): string {
  return link.startsWith('/') && !link.startsWith('//') && !link.startsWith(`${prefix}/`) ? `${prefix}${link}` : link;
}
