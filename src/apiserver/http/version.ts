import { releaseInfo } from '#machinery/version.ts';

const { major, minor, ...build } = releaseInfo(process.platform, process.arch);

/** What `/version` says: the Kubernetes version whose interface this server keeps, and what it can pass for. */
export const versionInfo = {
  major,
  minor,
  emulationMajor: major,
  emulationMinor: minor,
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  ...build,
} as const;
