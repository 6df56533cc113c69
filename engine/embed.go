package engine

import (
	"quire/engine/model"
	"quire/engine/step"
)

// poolings are the ways of pooling that a model's file names; without a name it is the mean.
var poolings = [...]Pooling{
	model.PoolNone: PoolMean, model.PoolMean: PoolMean, model.PoolCLS: PoolCLS, model.PoolLast: PoolLast, model.PoolRank: PoolRank,
}

// rank is the token that gives a model's scores.
func (e *Engine) rank() step.Pooling {
	switch {
	case e.plan.Labels() == 0:
		return step.NoPooling
	case e.plan.RankLast():
		return step.PoolLast
	}
	return step.PoolFirst
}

// wholeContext is the most tokens of a prompt that is computed in one step, unless a context is asked for: the memory of a
// step grows with it.
const wholeContext = 2048
