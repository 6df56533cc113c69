package grammar

// pending is a rule that is called here.
type pending struct {
	rule, min, max int32
	entries        []entry
	taken          bool
}

// pendings are the rules that are called at a place in the text. A state may call very many.
type pendings struct {
	list  []pending
	heap  []int32 // places in list of those that are not taken, the first in the order of rules on top
	known map[[3]int32]int32
}

// scanned is how many are looked through rather than looked up.
const scanned = 32

func (p *pendings) clear() {
	p.list, p.heap = p.list[:0], p.heap[:0]
	clear(p.known)
}

// find gives the one that a call is of, if it is not taken.
func (p *pendings) find(c *call) *pending {
	if len(p.list) > scanned {
		if i, ok := p.known[[3]int32{c.rule, c.min, c.max}]; ok && !p.list[i].taken {
			return &p.list[i]
		}
		return nil
	}
	for i := range p.list {
		if q := &p.list[i]; q.rule == c.rule && q.min == c.min && q.max == c.max && !q.taken {
			return q
		}
	}
	return nil
}

// add adds one that is not among them.
func (p *pendings) add(rules []rule, q pending) *pending {
	p.list = append(p.list, q)
	last := len(p.list) - 1
	if last >= scanned {
		from := last
		if last == scanned {
			from = 0
		}
		if p.known == nil {
			p.known = map[[3]int32]int32{}
		}
		for i, q := range p.list[from:] {
			p.known[[3]int32{q.rule, q.min, q.max}] = int32(from + i)
		}
	}
	p.heap = append(p.heap, int32(last))
	for i := len(p.heap) - 1; i > 0 && p.before(rules, i, (i-1)/2); i = (i - 1) / 2 {
		p.heap[i], p.heap[(i-1)/2] = p.heap[(i-1)/2], p.heap[i]
	}
	return &p.list[last]
}

func (p *pendings) before(rules []rule, i, j int) bool {
	return rules[p.list[p.heap[i]].rule].order < rules[p.list[p.heap[j]].rule].order
}

// next takes the first.
func (p *pendings) next(rules []rule) (first pending, ok bool) {
	if len(p.heap) == 0 {
		return pending{}, false
	}
	q := &p.list[p.heap[0]]
	q.taken = true
	last := len(p.heap) - 1
	p.heap[0] = p.heap[last]
	p.heap = p.heap[:last]
	for i := 0; ; {
		least := i
		for j := 2*i + 1; j <= 2*i+2 && j < last; j++ {
			if p.before(rules, j, least) {
				least = j
			}
		}
		if least == i {
			return *q, true
		}
		p.heap[i], p.heap[least] = p.heap[least], p.heap[i]
		i = least
	}
}
