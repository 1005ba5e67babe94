import type { ApiObject } from '#machinery/meta.ts';

/** Turns objects of one kind into those of another version, in order. @throws ApiError when that cannot be done. */
export type ConvertObjects = (objects: readonly ApiObject[], apiVersion: string) => Promise<readonly ApiObject[]>;
