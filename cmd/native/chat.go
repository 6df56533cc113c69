package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"quire/cmd/native/talk"
	"quire/cmd/native/talk/screen"
	"quire/engine"
)

type chatCommand struct {
	modelFlag `group:"Model and conversation:"`
	System    string   `group:"Model and conversation:" placeholder:"TEXT" help:"The system message: what the model is to be and to keep to."`
	Load      string   `group:"Model and conversation:" filled:"" placeholder:"FILE" help:"Go on with a conversation: what /save or \"quire run --save\" wrote, or messages in JSON as the API has them."`
	LoRA      []string `group:"Model and conversation:" name:"lora" names:"" placeholder:"NAME[:SCALE]" sep:"none" filled:"" help:"Add a LoRA adapter in GGUF, by the names that -m takes, times a scale (1 unless it is given). May come several times: adapters add up."`
	Template  string   `group:"Model and conversation:" name:"chat-template-kwargs" filled:"" placeholder:"JSON" help:"Variables of the model's chat template, such as {\"enable_thinking\": false}. /params has them too."`
	Raw       bool     `group:"Model and conversation:" help:"Use no chat template: the model goes on with the text as it is."`
	Plain     bool     `group:"Model and conversation:" help:"Chat line by line on a terminal too, as through pipes: for screen readers, and for terminals that show no screen well."`
	NoHistory bool     `group:"Model and conversation:" help:"Neither read nor keep what was typed in other chats."`

	MaxTokens int      `group:"Answers:" placeholder:"TOKENS" default:"0" help:"At most so many tokens an answer. 0: until the model ends or the context is full."`
	Stop      []string `group:"Answers:" placeholder:"TEXT" sep:"none" filled:"" help:"End an answer before this text. May come several times."`
	Ctx       int      `group:"Answers:" placeholder:"TOKENS" default:"0" help:"At most so many tokens a conversation sees. 0: what the model was trained for, as memory allows. More is lowered to that."`

	samplingFlags `group:"Sampling:"`
	engineFlags   `group:"Engine:"`
}

// Help is what --help shows beyond the flags.
func (*chatCommand) Help() string {
	return `Enter sends a message; Shift+Enter, Alt+Enter or Ctrl+J begins a new line, and pasted text keeps its lines. The arrow keys bring back
what was typed before. PgUp, PgDn and the mouse wheel scroll. Ctrl-C stops the answer, whose text is kept; where none comes, it quits.
Lines that begin with a slash are commands, which Tab completes:

  /help                   show them all
  /system [TEXT]          show the system message, or set it
  /params [NAME [VALUE]]  show how answers are drawn, or set it
  /regenerate, /undo      answer again; take the last message back
  /clear                  begin anew
  /fork, /switch          go on from here in a second conversation; change between them
  /save, /load FILE       keep a conversation, go on with one
  /copy                   put the last answer onto the clipboard
  /quit                   end

A conversation that is longer than the context loses its oldest turns, but never the system message, and says so. What was computed
stays in the KV cache: a turn computes what is new, and conversations that were forked share their blocks.

Through pipes, and where TERM is dumb, each line of stdin is a message or a command (lines between two lines of """ are one message).
Answers go to stdout, with an empty line between them, and all else to stderr.

What is typed is kept in $XDG_STATE_HOME/quire/chat-history, or ~/.local/state/quire/chat-history. NO_COLOR is respected.

Examples:

  quire chat
  quire chat -m model.gguf --system "Answer in one sentence."
  quire chat --load talk.json
  printf 'Tell me a story.\nAnd then?\n' | quire chat --temperature 0`
}

// Run runs the command.
func (r *chatCommand) Run(h *host) error {
	base := job{MaxTokens: r.MaxTokens, Stop: r.Stop, Sample: r.samplingFlags.params("")}
	err := r.samplingFlags.penalties(&base.Sample)
	if err != nil {
		return usagef("%s", inFlags(err))
	}
	if base.lora, err = readLoRAs(r.LoRA); err != nil {
		return usagef("--lora: %s", say(err))
	}
	if base.template, err = templateFlag(r.Template); err != nil {
		return err
	}
	if base.template != nil && r.Raw {
		return usagef("--chat-template-kwargs goes without --raw, which uses no template")
	}
	if err := base.check(); err != nil {
		return usagef("%s", inFlags(err))
	}
	if r.System != "" && (r.Raw || r.Load != "") {
		return usagef("--system does not go with --raw, which has no such message, nor with --load, whose conversation has its own (/system sets it)")
	}
	if r.Load != "" { // before a model is loaded
		f, err := os.Open(r.Load)
		if err != nil {
			return fmt.Errorf("--load: %w", err)
		}
		f.Close()
	}
	ctx, stop := interruptible()
	defer stop()
	eng, adapters, err := openAdapted(ctx, h, []job{base}, r.engineFlags, func(flags engineFlags) (*engine.Engine, error) {
		return openEngine(ctx, h, "chat", r.Model, r.Ctx, flags)
	})
	if err != nil {
		return interrupted(ctx, h, err)
	}
	defer eng.Close()
	params := talk.Params{Sample: eng.Info().Defaults, Seed: r.Seed, MaxTokens: r.MaxTokens, Stop: r.Stop, LoRA: adapters.named(base.lora), Template: base.template}
	r.samplingFlags.over(&params.Sample)
	if err := r.samplingFlags.penalties(&params.Sample); err != nil {
		return err
	}
	c, err := talk.New(talk.Of(eng), talk.Options{System: r.System, Raw: r.Raw, Params: params, Replace: replaceFile})
	if err != nil {
		return err
	}
	if r.Load != "" {
		effect, err := c.Do("/load " + r.Load)
		if err != nil {
			return fmt.Errorf("--load: %w", err)
		}
		fmt.Fprintln(h.err, effect.Note)
	}
	stop() // from here on Ctrl-C ends answers
	if r.screen(h) {
		return r.onScreen(c, h)
	}
	return r.byLines(c, h)
}

// screen reports whether the chat is shown as a screen.
func (r *chatCommand) screen(h *host) bool {
	return !r.Plain && isTerminal(h.in) && isTerminal(h.out) && os.Getenv("TERM") != "dumb"
}

func (r *chatCommand) onScreen(c *talk.Chat, h *host) error {
	path := ""
	if !r.NoHistory {
		var err error
		if path, err = talk.HistoryPath(); err != nil {
			fmt.Fprintf(h.err, "quire chat: what is typed is not kept: %s\n", say(err))
		}
	}
	return screen.Run(context.Background(), c, screen.Options{In: h.in, Out: h.out, History: talk.OpenHistory(path), Say: sayAll})
}

func (r *chatCommand) byLines(c *talk.Chat, h *host) error {
	signals, interrupts := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		for range signals {
			select {
			case interrupts <- struct{}{}:
			case <-signals: // a second one, and the first is not taken
				os.Exit(exitInterrupted)
			}
		}
	}()
	lines := talk.Lines{In: h.in, Out: h.out, Err: h.err, Typed: isTerminal(h.in), Interrupt: interrupts,
		Tell: func(err error) { fmt.Fprintf(h.err, "quire chat: %s\n", sayAll(err)) }}
	err := lines.Run(context.Background(), c)
	switch {
	case errors.Is(err, talk.ErrInterrupted):
		return exitCode(exitInterrupted)
	case errors.Is(err, talk.ErrTold):
		return exitCode(exitError)
	}
	return err
}

// sayAll gives an error in a user's words, with what to do about it.
func sayAll(err error) string {
	text := say(err)
	if advice := advise(err); advice != "" {
		text += "\n" + advice
	}
	return text
}
