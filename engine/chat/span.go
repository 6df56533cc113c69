package chat

// span is a range: numbers from start to before stop.
type span struct{ start, stop, step int64 }

func (s *span) length() int64 {
	switch {
	case s.step > 0 && s.start < s.stop:
		return int64(uint64(s.stop-s.start-1)/uint64(s.step)) + 1
	case s.step < 0 && s.start > s.stop:
		return int64(uint64(s.start-s.stop-1)/uint64(-s.step)) + 1
	}
	return 0
}

func (s *span) at(i int64) any { return s.start + i*s.step }

func (s *span) equal(other *span) bool {
	n := s.length()
	return n == other.length() && (n == 0 || s.start == other.start && (n == 1 || s.step == other.step))
}

func rangeOf(e *evaluator, line int, a values) any {
	n := make([]int64, 3)
	if len(a.positional) == 0 || len(a.positional) > 3 || len(a.names()) > 0 {
		fail(line, "range needs one to three integers")
	}
	for i, v := range a.positional {
		x, ok := integer(v)
		if !ok || x > 1<<61 || x < -1<<61 {
			fail(line, "range needs integers, and not such large ones: %s", e.text(line, v))
		}
		n[i] = x
	}
	s := &span{n[0], n[1], n[2]}
	switch len(a.positional) {
	case 1:
		s = &span{0, n[0], 1}
	case 2:
		s.step = 1
	}
	if s.step == 0 {
		fail(line, "the step of a range is 0")
	}
	if s.length() > int64(e.limits.numbers) {
		fail(line, "a range has more than %d items", e.limits.numbers)
	}
	return s
}

func (s *span) slice(line int, bounds [3]any) *span {
	start, stop, step := sliceOf(line, bounds, s.length())
	return &span{s.start + start*s.step, s.start + stop*s.step, step * s.step}
}

func (s *span) attribute(name string) (any, bool) {
	switch name {
	case "start":
		return s.start, true
	case "stop":
		return s.stop, true
	case "step":
		return s.step, true
	case "index", "count":
		m, _ := methodOf(listMethods, name)
		return bound(name, m, func(e *evaluator, line int) *list { return &list{items: e.items(line, s)} }), true
	}
	return nil, false
}
