const lineLength = 64;

/** The blocks of a text in PEM as certificates, without what stands between and in front of them. */
export function cleanCertificates(text: string): readonly string[] {
  const blocks: string[] = [];
  const ends = /-----END [^-\n]*-----/g;
  for (const { index, 0: beginning } of text.matchAll(/-----BEGIN [^-\n]*-----/g)) {
    ends.lastIndex = Math.max(ends.lastIndex, index + beginning.length);
    const end = ends.exec(text);
    if (end === null) break;
    const body = text.slice(index + beginning.length, end.index).replace(/^[^\n]*: [^\n]*$/gm, '');
    blocks.push(pemOf('CERTIFICATE', Buffer.from(body, 'base64')));
  }
  return blocks;
}

function pemOf(type: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(new RegExp(`.{1,${lineLength}}`, 'g')) ?? [];
  return `-----BEGIN ${type}-----\n${lines.join('\n')}\n-----END ${type}-----\n`;
}
