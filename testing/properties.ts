import fc from 'fast-check';

/**
 * fast-check with a seed that is kept: every run tries the same cases, so that a failure is a change's doing. Set
 * `PROA_SEED` to a number to try others, and keep what it finds as a case of its own.
 */
fc.configureGlobal({ seed: Number(process.env['PROA_SEED'] ?? 20261121) });

export default fc;
