// Package chat renders the chat templates of models: the Jinja text under tokenizer.chat_template,
// read as Hugging Face transformers reads it (trim_blocks and lstrip_blocks on, loop controls,
// raise_exception, strftime_now, its own tojson).
//
// It holds its own interpreter of the expression and statement language that such templates use.
// Templates come from strangers: time, memory, nesting and output are bounded, and nothing that a
// template does can leave the package but as text or an error.
package chat
