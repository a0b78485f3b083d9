// What went wrong while an image was read, as a sentence for whoever asked. Thrown inside the
// reader, turned into a result at its edge. Nothing else lives here.

/** Its message holds no credential, no query of a URL and no text that a registry wrote. */
export class ImageError extends Error {}
