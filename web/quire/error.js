/**
 * An error of the engine; its name says which kind, such as ErrNoAdapter, FormatError or ErrContextTooLong. Those of the API's calls
 * have its fields too: status, type, param and code.
 */
export class QuireError extends Error {
  constructor({name, message, ...fields}) {
    super(message);
    this.name = name;
    Object.assign(this, fields);
  }
}

export const badRequest = (message) => new QuireError({name: 'ErrBadRequest', message});

export const closed = () => new QuireError({name: 'ErrClosed', message: 'the engine is closed'});

/** The error that the API answers with a status. */
export function apiError(status, {error}) {
  const {message, type = null, param = null, code = null} = error;
  return new QuireError({name: named(status, code), message, ...(status && {status}), type, param, code});
}

const NAMES = {context_length_exceeded: 'ErrContextTooLong', queue_full: 'ErrQueueFull', model_closed: 'ErrClosed'};

const named = (status, code) => NAMES[code] ?? (status >= 400 && status < 500 ? 'ErrBadRequest' : 'Error');
