/** Input pipelines for Millrace: datasets that map, shuffle, batch and prefetch. */
export {};
