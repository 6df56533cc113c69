/** An error of the engine; its name says which kind, such as ErrNoAdapter, FormatError or ErrContextTooLong. */
export class QuireError extends Error {
  constructor({name, message}) {
    super(message);
    this.name = name;
  }
}

export const badRequest = (message) => new QuireError({name: 'ErrBadRequest', message});

export const closed = () => new QuireError({name: 'ErrClosed', message: 'the engine is closed'});
