package grammar

// graph is an automaton whose steps are expressions.
type graph struct {
	places int32
	end    int32 // place 0 is the start
	arcs   []arc
}

// arc is a step. What counts begins with a byte or a call.
type arc struct {
	from, to int32
	by       *expr
	counts   bool
}

func (g *graph) place() int32 {
	g.places++
	return g.places - 1
}

func (g *graph) arc(from, to int32, by *expr, counts bool) {
	g.arcs = append(g.arcs, arc{from, to, by, counts})
}

// graph adds a graph's states behind from. If it counts, it is a rule of its own.
func (b *builder) graph(g *graph, from int32, counted bool) int32 {
	first := int32(len(b.states))
	for range g.places {
		b.add(b.states[from].rule)
	}
	b.free(from, first)
	for _, a := range g.arcs {
		at := first + a.from
		edges, calls := len(b.states[at].edges), len(b.states[at].calls)
		end := b.expr(a.by, at)
		if counted && a.counts {
			for i := edges; i < len(b.states[at].edges); i++ {
				b.states[at].edges[i].tick = true
			}
			for i := calls; i < len(b.states[at].calls); i++ {
				b.states[at].calls[i].tick = true
			}
		}
		b.free(end, first+a.to)
	}
	return first + g.end
}
