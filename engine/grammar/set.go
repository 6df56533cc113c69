package grammar

// set is a set of configurations that is emptied often.
type set struct {
	table []int32 // index plus one into list
	list  []config
}

func (s *set) clear() {
	if len(s.list)*8 < len(s.table) {
		for _, c := range s.list {
			s.remove(c)
		}
	} else {
		clear(s.table)
	}
	s.list = s.list[:0]
}

// remove empties the run of places that a configuration may be in.
func (s *set) remove(c config) {
	for i := c.hash() & uint32(len(s.table)-1); s.table[i] != 0; i = (i + 1) & uint32(len(s.table)-1) {
		s.table[i] = 0
	}
}

func (c config) hash() uint32 {
	h := uint32(c.q)*0x9E3779B1 ^ c.id()*0x85EBCA77 ^ uint32(c.min)*0xC2B2AE3D ^ uint32(c.max)*0x27D4EB2F
	return h ^ h>>15
}

// add tells whether a configuration was not in the set.
func (s *set) add(c config) bool {
	if 2*(len(s.list)+1) > len(s.table) {
		s.table = make([]int32, max(64, 2*len(s.table)))
		for i, d := range s.list {
			s.table[s.place(d)] = int32(i + 1)
		}
	}
	i := s.place(c)
	if s.table[i] != 0 {
		return false
	}
	s.list = append(s.list, c)
	s.table[i] = int32(len(s.list))
	return true
}

func (s *set) place(c config) uint32 {
	last := uint32(len(s.table) - 1)
	i := c.hash() & last
	for s.table[i] != 0 && s.list[s.table[i]-1] != c {
		i = (i + 1) & last
	}
	return i
}
