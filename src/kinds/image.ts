/** Whether an image reference names the tag `latest`, or neither a tag nor a digest. */
export function isLatestImage(reference: string): boolean {
  if (reference.includes('@') || !isReference(reference)) return false;
  const lastPart = reference.slice(reference.lastIndexOf('/') + 1);
  const colon = lastPart.indexOf(':');
  return colon < 0 || lastPart.slice(colon + 1) === 'latest';
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const domain = '(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?';
const pattern = new RegExp(`^(?:${domain}/)?${component}(?:/${component})*(?::[A-Za-z0-9_][-A-Za-z0-9_.]{0,127})?$`);

/** Whether a text can name an image at all, leaving digests aside. */
function isReference(text: string): boolean {
  return pattern.test(text) && !hasLongPath(text);
}

const maximumPath = 255;

/** Images without a folder are in the registry's library. */
function hasLongPath(text: string): boolean {
  // Nearly all are shorter as a whole.
  if (text.length <= maximumPath - 'library/'.length) return false;
  const name = text.replace(/:[^/:]*$/, '');
  const slash = name.indexOf('/');
  const isInRegistry = slash > 0 && /[.:A-Z]|^localhost$/.test(name.slice(0, slash));
  const path = isInRegistry ? name.slice(slash + 1) : slash < 0 ? `library/${name}` : name;
  return path.length > maximumPath;
}
