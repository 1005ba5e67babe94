import { buildImageArchive } from '../image-archive.ts';
import { pauseProgram } from './program.ts';

/** The sandbox image. Its tag changes whenever its bytes do. */
export const pauseImageReference = 'proa.local/pause:1';

/** The sandbox image as a tar to import. */
export function buildPauseImage(architecture: 'amd64' | 'arm64'): Promise<Buffer> {
  return buildImageArchive({
    reference: pauseImageReference,
    architecture,
    entries: [{ type: 'file', path: 'pause', mode: 0o755, content: pauseProgram(architecture) }],
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
  });
}
