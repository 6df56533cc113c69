package paging

import "slices"

// moves are what the open step does before it computes: swap-outs, then swap-ins, then copies. Until the step ends they
// stand between a block and whoever has it next. A block that is to be filled by one and forgets its content drops it, so
// that nothing is written over what comes instead. A block that a swap-out reads may be given to the open step, whose
// other work comes after that, but not to a caller who fills it at once.
type moves struct {
	copies []Copy
	outs   []Swap
	ins    []Swap
}

// Copies lists the copies of the open step, until EndStep.
func (m *Manager) Copies() []Copy { return m.pool.moves.copies }

// SwapOuts lists the blocks that the open step moves to host memory, before anything else it does, until EndStep.
func (m *Manager) SwapOuts() []Swap { return m.pool.moves.outs }

// SwapIns lists the blocks that the open step takes from host memory, after its swap-outs and before its copies, until
// EndStep.
func (m *Manager) SwapIns() []Swap { return m.pool.moves.ins }

func (p *BlockPool) copy(c Copy) {
	p.blocks[c.To].coming = true
	p.moves.copies = append(p.moves.copies, c)
}

func (p *BlockPool) swapIn(x Swap) {
	p.blocks[x.Block].coming = true
	p.moves.ins = append(p.moves.ins, x)
}

func (p *BlockPool) swapOut(x Swap) {
	p.blocks[x.Block].leaving = true
	p.moves.outs = append(p.moves.outs, x)
}

// comesFrom says whether the open step reads a host block.
func (p *BlockPool) comesFrom(host int32) bool {
	return slices.ContainsFunc(p.moves.ins, func(x Swap) bool { return x.Host == host })
}

// forget drops what was to fill a block whose content nobody can find any more.
func (p *BlockPool) forget(id int32) {
	if p.blocks[id].coming {
		p.dropMoves(id)
	}
}

func (p *BlockPool) dropMoves(id int32) {
	p.blocks[id].coming = false
	p.moves.copies = slices.DeleteFunc(p.moves.copies, func(c Copy) bool { return c.To == id })
	p.moves.ins = slices.DeleteFunc(p.moves.ins, func(x Swap) bool { return x.Block == id })
}

// stay drops the swap-outs to host blocks that are wanted no more.
func (p *BlockPool) stay(unwanted func(host int32) bool) {
	for _, x := range p.moves.outs {
		p.blocks[x.Block].leaving = false
	}
	p.moves.outs = slices.DeleteFunc(p.moves.outs, func(x Swap) bool { return unwanted(x.Host) })
	for _, x := range p.moves.outs { // a block may go to several places
		p.blocks[x.Block].leaving = true
	}
}

// endMoves forgets the moves of a step that has been handed over.
func (p *BlockPool) endMoves() {
	v := &p.moves
	for _, c := range v.copies {
		p.blocks[c.To].coming = false
	}
	for _, x := range v.ins {
		p.blocks[x.Block].coming = false
	}
	for _, x := range v.outs {
		p.blocks[x.Block].leaving = false
	}
	v.copies, v.outs, v.ins = v.copies[:0], v.outs[:0], v.ins[:0]
}
