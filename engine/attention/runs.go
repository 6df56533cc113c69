package attention

import "quire/engine/gpu"

// Runs returns an error that says what an adapter lacks for New with these parameters, such as what their variant needs.
// Nothing is compiled.
func (p Params) Runs(info gpu.AdapterInfo) error {
	if err := p.check(); err != nil {
		return err
	}
	c, err := p.choose(info)
	if err != nil {
		return err
	}
	return p.fits(c, info)
}

// RunsBackward is Runs for NewBackward.
func (p Params) RunsBackward(info gpu.AdapterInfo) error {
	if err := p.checkBackward(); err != nil {
		return err
	}
	_, err := p.backwardTile(info)
	return err
}
