package main

import (
	"errors"
	"fmt"

	"quire/engine"
)

// earlyStopping are the values of --early-stopping, named as in Hugging Face's generate.
var earlyStopping = map[string]engine.EarlyStopping{
	"false": engine.StopHeuristic, "true": engine.StopAtWidth, "never": engine.StopNever,
}

var errBeamsDraw = errors.New("beams go without drawing: leave out the temperature, or set it to 0")

// choosing says how many answers a prompt gets, and how they are found.
type choosing struct {
	N, BestOf int
	Beams     engine.Beams // with a width of 0: no search
}

// choiceFlags say how many answers a prompt gets.
type choiceFlags struct {
	N             int     `name:"n" placeholder:"N" default:"1" min:"1" help:"Give N answers from one prefill. Answer i has the seed SEED+i."`
	BestOf        *int    `placeholder:"N" min:"1" help:"Draw N answers and give the --n with the best mean log-probability."`
	Beams         *int    `placeholder:"N" min:"1" help:"Search with N beams instead of drawing."`
	LengthPenalty float64 `placeholder:"X" default:"1" help:"Rank beams by log-probability over length to the power of X. Above 0 favours long answers."`
	EarlyStopping string  `placeholder:"WHEN" default:"false" enum:"true, false, never" help:"Once there are as many answers as beams, stop at once (true), when none better is likely (false), or when none better can come (never)."`
}

func (f *choiceFlags) choosing() choosing {
	c := choosing{N: f.N, Beams: engine.Beams{LengthPenalty: f.LengthPenalty, EarlyStopping: earlyStopping[f.EarlyStopping]}}
	set(&c.BestOf, f.BestOf)
	set(&c.Beams.Width, f.Beams)
	return c
}

// stopEarly sets the rule by its name.
func (c *choosing) stopEarly(name string) error {
	rule, ok := earlyStopping[name]
	if !ok {
		return errors.New("must be one of false, true, never")
	}
	c.Beams.EarlyStopping = rule
	return nil
}

// asked says whether there is anything to choose.
func (c *choosing) asked() bool { return c.N > 1 || c.BestOf > 0 || c.Beams.Width > 0 }

// check holds what the engine cannot know to be meant otherwise.
func (c *choosing) check() error {
	switch {
	case c.Beams.Width > 0 && c.BestOf > 0:
		return errors.New("beams and best_of do not go together")
	case c.BestOf > 0 && c.BestOf < c.N:
		return fmt.Errorf("best_of is %d, it must be at least n (%d)", c.BestOf, c.N)
	case c.Beams.Width > 0 && c.N > c.Beams.Width:
		return fmt.Errorf("n is %d, beams %d: no more answers than beams", c.N, c.Beams.Width)
	}
	return nil
}

// apply sets a request's choices.
func (c *choosing) apply(r *engine.Request) {
	r.N, r.BestOf = c.N, c.BestOf
	if c.Beams.Width > 0 {
		beams := c.Beams
		r.Beams = &beams
	}
}
