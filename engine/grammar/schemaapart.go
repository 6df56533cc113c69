package grammar

// apart tells, of two schemas, whether it is plain that no value satisfies both. Often it is not plain though it is so.
func (c *schemaCompiler) apart(s, t *schema, depth int) bool {
	if depth == 0 {
		c.tries = 0
	}
	c.limits.spend(1, s.at)
	if c.tries++; depth > 6 || c.tries > mostTries {
		return false
	}
	if s.boolean || t.boolean {
		return s.never || t.never
	}
	depth++
	if c.typesOf(s)&c.typesOf(t) == 0 {
		return true
	}
	if s.hasEnum || t.hasEnum {
		if !s.hasEnum {
			s, t = t, s
		}
		for _, v := range s.enum {
			if c.valid(t, v) && c.valid(s, v) {
				return false
			}
		}
		return true
	}
	for range 2 { // either way round
		if s.ref != nil && c.apart(s.ref, t, depth) {
			return true
		}
		for _, u := range s.allOf {
			if c.apart(u, t, depth) {
				return true
			}
		}
		for _, list := range [][]*schema{s.anyOf, s.oneOf} {
			all := len(list) > 0
			for _, u := range list {
				all = all && c.apart(u, t, depth)
			}
			if all {
				return true
			}
		}
		s, t = t, s
	}
	types := c.typesOf(s) & c.typesOf(t)
	switch {
	case types&^typeNumber == 0:
		return over(s.lowest(), t.highest()) || over(t.lowest(), s.highest())
	case types == typeObject:
		return c.objectsApart(s, t, depth) || c.objectsApart(t, s, depth)
	case types == typeArray:
		return s.minItems > t.maxItems || t.minItems > s.maxItems
	case types == typeString:
		return s.minLength > t.maxLength || t.minLength > s.maxLength
	}
	return false
}

func (s *schema) lowest() *number {
	if s.above != nil && (s.minimum == nil || s.above.compare(*s.minimum) >= 0) {
		return s.above
	}
	return s.minimum
}

func (s *schema) highest() *number {
	if s.below != nil && (s.maximum == nil || s.below.compare(*s.maximum) <= 0) {
		return s.below
	}
	return s.maximum
}

// over tells whether a lower bound is over an upper one.
func over(low, high *number) bool {
	return low != nil && high != nil && low.compare(*high) > 0
}

// objectsApart looks for a property that s wants and t does not allow as it is.
func (c *schemaCompiler) objectsApart(s, t *schema, depth int) bool {
	for _, name := range s.required {
		c.limits.spend(1, s.at)
		for _, d := range c.ofName(s, name) {
			for _, e := range c.ofName(t, name) {
				if c.apart(d.s, e.s, depth) {
					return true
				}
			}
		}
		for _, e := range c.ofName(t, name) {
			if e.s.never {
				return true
			}
		}
	}
	return false
}

// typesOf is the types that a schema's values may have.
func (c *schemaCompiler) typesOf(s *schema) typeSet {
	if !s.typesKnown {
		s.possible, s.typesKnown = c.possibleTypes(s), true
	}
	return s.possible
}

func (c *schemaCompiler) possibleTypes(s *schema) typeSet {
	if s.boolean {
		if s.never {
			return 0
		}
		return typeAny
	}
	types := typeAny
	if s.types != 0 {
		types = s.types
	}
	if s.hasEnum {
		set := typeSet(0)
		for _, v := range s.enum {
			c.limits.spend(weight(v), s.at)
			set |= typeOf(v)
		}
		types &= set
	}
	if s.ref != nil {
		types &= c.typesOf(s.ref)
	}
	for _, t := range s.allOf {
		types &= c.typesOf(t)
	}
	for _, list := range [][]*schema{s.anyOf, s.oneOf} {
		set := typeSet(0)
		for _, t := range list {
			set |= c.typesOf(t)
		}
		if len(list) > 0 {
			types &= set
		}
	}
	return types
}
