/** What may be done with a path that is no resource's, as kubectl knows it. */
export const urlVerbs: ReadonlySet<string> = new Set(['get', 'put', 'post', 'head', 'options', 'delete', 'patch', '*']);
