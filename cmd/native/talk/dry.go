package talk

import (
	"fmt"

	"quire/engine/json"
	"quire/engine/sample"
)

// dry are the numbers of DRY, the usual ones where none are set.
func dry(p *Params) *sample.DRY {
	if p.Sample.DRY.Base == 0 {
		usual := sample.NewDRY(p.Sample.DRY.Multiplier)
		return &usual
	}
	d := p.Sample.DRY
	return &d
}

// ofDRY is a setting of DRY by one of its numbers.
func ofDRY(s setting, set func(*Params, string) error) setting {
	get := s.get
	s.get = func(p *Params) string { return get(&Params{Sample: sample.Params{DRY: *dry(p)}}) }
	s.set = func(p *Params, text string) error {
		p.Sample.DRY = *dry(p)
		return set(p, text)
	}
	return s
}

func dryNumber(name, help string, field func(*sample.DRY) *float64) setting {
	s := number(name, help, func(p *Params) *float64 { return field(&p.Sample.DRY) })
	return ofDRY(s, s.set)
}

func dryWhole(name, help string, field func(*sample.DRY) *int) setting {
	s := whole(name, help, func(p *Params) *int { return field(&p.Sample.DRY) })
	return ofDRY(s, s.set)
}

func getBreakers(p *Params) string {
	breakers := dry(p).Breakers
	if len(breakers) == 0 {
		return none
	}
	text, err := json.Marshal(breakers)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func setBreakers(p *Params, text string) error {
	var breakers []string
	if text != none {
		if err := json.Unmarshal([]byte(text), &breakers); err != nil {
			return fmt.Errorf(`dry_sequence_breakers must be a list of texts in JSON, such as ["\n", ":"], or none, not %q`, text)
		}
	}
	p.Sample.DRY = *dry(p)
	p.Sample.DRY.Breakers = breakers
	return nil
}
