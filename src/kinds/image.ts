/** Whether an image reference names the tag `latest`, or neither a tag nor a digest. */
export function isLatestImage(reference: string): boolean {
  if (reference.includes('@')) return false;
  const lastPart = reference.slice(reference.lastIndexOf('/') + 1);
  const colon = lastPart.indexOf(':');
  return colon < 0 || lastPart.slice(colon + 1) === 'latest';
}
