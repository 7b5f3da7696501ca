/** The native CPU backend of Millrace for Node.js. */
export {};
