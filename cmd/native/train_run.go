package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/sample"
	"quire/engine/train"
)

// training is a run of quire train.
type training struct {
	*trainCommand
	host    *host
	model   *train.Model
	trainer *train.Trainer
	windows train.Windows
	kept    []train.Batch // what the model is scored on

	began    time.Time
	paused   time.Duration // spent on scores and samples
	last     train.Result  // the last step that landed
	sum      float64       // of the losses since the last line
	lines    int           // steps since then
	interval int
}

// scoreBatches is how many batches of the text that is kept back are scored.
const scoreBatches = 4

func (t *trainCommand) run(ctx context.Context, h *host, dev *gpu.Device, text []byte) error {
	var err error
	r := &training{trainCommand: t, host: h, interval: max(1, t.Steps/50)}
	if r.model, err = train.NewModel(dev, t.config, t.Seed); err != nil {
		return t.explain(err)
	}
	defer r.model.Release()
	learned, kept := t.split(text)
	if err := r.introduce(dev.Info().Name, len(learned)-1); err != nil {
		return err
	}
	r.trainer, err = train.NewTrainer(ctx, r.model, train.Options{Batch: t.Batch, Optimizer: t.optimizer()})
	if err != nil {
		return interrupted(ctx, h, t.explain(err))
	}
	defer r.trainer.Release()
	r.windows = train.Windows{Text: learned, Length: t.config.Length, Random: rand.New(rand.NewPCG(t.Seed, 1))}
	if kept != nil {
		w := train.Windows{Text: kept, Length: t.config.Length, Random: rand.New(rand.NewPCG(t.Seed, 2))}
		for range scoreBatches {
			r.kept = append(r.kept, w.Batch(t.Batch))
		}
	}
	return r.learn(ctx)
}

// explain says which flag lowers the memory that training needs.
func (t *trainCommand) explain(err error) error {
	if errors.Is(err, gpu.ErrOutOfMemory) {
		return fmt.Errorf("%s; lower --batch, --length, --width or --layers", strings.TrimPrefix(err.Error(), "train: "))
	}
	return err
}

// introduce tells what is about to be trained.
func (r *training) introduce(adapter string, size int) error {
	if r.JSON {
		return nil
	}
	c := r.config
	_, err := fmt.Fprintf(r.host.err, "%s | %s: %s of width %d, %d/%d heads of %d, feed-forward %d | %s of text, %s of %d a step\n",
		adapter, plural(c.Parameters(), "parameter"), plural(c.Layers, "layer"), c.Width, c.Heads, c.KVHeads, c.HeadDim, c.FFN,
		formatSize(uint64(size)), plural(r.Batch, "sequence"), c.Length)
	return err
}

// learn runs the steps, one ahead of the one that lands, and keeps the model however they end.
func (r *training) learn(ctx context.Context) error {
	r.began = time.Now()
	err := r.loop(ctx)
	stopped := ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled))
	if err != nil && !stopped {
		return err
	}
	if stopped {
		fmt.Fprintf(r.host.err, "interrupted after step %d\n", r.last.Step)
	}
	if r.Out != "" && r.last.Step > 0 {
		if err := r.keep(); err != nil {
			return err
		}
	}
	if stopped {
		return exitCode(exitInterrupted)
	}
	return nil
}

func (r *training) loop(ctx context.Context) error {
	submitted := 0
	for r.last.Step < r.Steps {
		// A step that shows what the model can do is landed before the next is submitted.
		for submitted < r.Steps && r.trainer.CanSubmit() && ctx.Err() == nil && (submitted == r.last.Step || !r.shows(submitted)) {
			if err := r.trainer.Submit(r.windows.Batch(r.Batch)); err != nil {
				return err
			}
			submitted++
		}
		if submitted == r.last.Step {
			return ctx.Err()
		}
		// What was submitted lands, so that the weights and their step agree.
		result, err := r.trainer.Land(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		if err := r.report(result); err != nil {
			return err
		}
		if r.shows(result.Step) && ctx.Err() == nil {
			if err := r.show(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// shows tells whether a sample comes after a step.
func (r *training) shows(step int) bool {
	return r.SampleEvery > 0 && step > 0 && (step%r.SampleEvery == 0 || step == r.Steps)
}

// stepLine, scoreLine, sampleLine and fileLine are what --json prints.
type stepLine struct {
	Event           string  `json:"event"`
	Step            int     `json:"step"`
	Steps           int     `json:"steps"`
	Loss            float64 `json:"loss"`
	GradientNorm    float64 `json:"gradient_norm"`
	LearningRate    float64 `json:"learning_rate"`
	TokensPerSecond float64 `json:"tokens_per_second"`
}

type scoreLine struct {
	Event string  `json:"event"`
	Step  int     `json:"step"`
	Loss  float64 `json:"loss"`
}

type sampleLine struct {
	Event  string `json:"event"`
	Step   int    `json:"step"`
	Prompt string `json:"prompt"`
	Text   string `json:"text"`
}

type fileLine struct {
	Event string `json:"event"`
	Step  int    `json:"step"`
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
}

// report prints a step that landed, or what its line gathers.
func (r *training) report(s train.Result) error {
	if !(s.Loss < math.MaxFloat32) || !(s.GradientNorm < math.MaxFloat32) {
		return fmt.Errorf("step %d: the loss is not a number any more: lower --lr", s.Step)
	}
	r.last = s
	spent := time.Since(r.began) - r.paused
	speed := float64(s.Step*r.Batch*r.config.Length) / spent.Seconds()
	if r.JSON {
		return writeJSON(r.host.out, stepLine{Event: "step", Step: s.Step, Steps: r.Steps, Loss: s.Loss, GradientNorm: s.GradientNorm,
			LearningRate: s.LearningRate, TokensPerSecond: speed})
	}
	r.sum += s.Loss
	r.lines++
	if s.Step > 1 && s.Step%r.interval != 0 && s.Step != r.Steps {
		return nil
	}
	left := time.Duration(float64(spent) / float64(s.Step) * float64(r.Steps-s.Step))
	_, err := fmt.Fprintf(r.host.out, "step %*d of %d  loss %.4f  lr %.2e  gradient %.2f  %.0f tokens/s  %s left\n", len(fmt.Sprint(r.Steps)), s.Step,
		r.Steps, r.sum/float64(r.lines), s.LearningRate, s.GradientNorm, speed, left.Round(time.Second))
	r.sum, r.lines = 0, 0
	return err
}

// show scores the model on the text that is kept back, and prints a sample.
func (r *training) show(ctx context.Context) error {
	start := time.Now()
	defer func() { r.paused += time.Since(start) }()
	if len(r.kept) > 0 {
		loss := 0.0
		for _, b := range r.kept {
			score, err := r.trainer.Score(ctx, b)
			if err != nil {
				return err
			}
			loss += score / float64(len(r.kept))
		}
		var err error
		if r.JSON {
			err = writeJSON(r.host.out, scoreLine{Event: "score", Step: r.last.Step, Loss: loss})
		} else {
			_, err = fmt.Fprintf(r.host.out, "kept-back text after step %d: loss %.4f\n", r.last.Step, loss)
		}
		if err != nil {
			return err
		}
	}
	text, err := r.sample(ctx)
	if err != nil {
		return fmt.Errorf("sample after step %d: %w", r.last.Step, err)
	}
	if r.JSON {
		return writeJSON(r.host.out, sampleLine{Event: "sample", Step: r.last.Step, Prompt: r.Prompt, Text: text})
	}
	_, err = fmt.Fprintf(r.host.out, "\n  %s\n\n", strings.ReplaceAll(strings.Trim(r.Prompt+text, "\n"), "\n", "\n  "))
	return err
}

// sample opens the model as it is now in the engine and has it go on with the prompt.
func (r *training) sample(ctx context.Context) (string, error) {
	var file bytes.Buffer
	if err := r.model.WriteGGUF(ctx, &file, r.modelName()); err != nil {
		return "", err
	}
	eng, err := engine.Open(ctx, gpu.ReaderSource(bytes.NewReader(file.Bytes()), int64(file.Len())), r.sampling())
	if err != nil {
		return "", err
	}
	defer eng.Close()
	prompt, err := eng.TextPrompt(r.Prompt)
	if err != nil {
		return "", err
	}
	drawn := sample.Suited(r.modelName())
	drawn.Seed = r.Seed
	stream, err := eng.Submit(ctx, engine.Request{Prompt: prompt, MaxTokens: r.SampleTokens, IgnoreEnd: true,
		Sample: drawn})
	if err != nil {
		return "", err
	}
	result := stream.Result()
	if result.Reason == engine.FinishError {
		return "", result.Err
	}
	return result.Text, ctx.Err()
}
