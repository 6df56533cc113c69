// The URL of the built-in model, a small teller of stories.
export default new URL('./quire-tales.gguf', import.meta.url).href;
