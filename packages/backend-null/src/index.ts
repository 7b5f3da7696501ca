/** A Millrace backend that computes nothing and records what it is asked to do. */
export {};
