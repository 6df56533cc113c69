package kernel

import "quire/engine/quant"

// readsStrips says whether strips of a type are read whole where that is faster.
func readsStrips(t quant.Type) bool {
	switch t {
	case quant.Q4_0, quant.Q4_1, quant.Q4_K, quant.Q5_K, quant.Q6_K, quant.Q8_0, quant.MXFP4, quant.IQ4_XS:
		return true
	}
	return false
}

// unitIsWord says whether a unit's codes are one word.
func unitIsWord(t quant.Type) bool {
	switch t {
	case quant.Q4_0, quant.Q4_1, quant.Q4_K, quant.MXFP4, quant.IQ4_NL, quant.IQ4_XS:
		return true
	}
	return false
}

// stripsOfType has a kernel read strips of a type whole. Where codes stand in bits of words they are opened as what f16 has below its normal
// numbers, two at once, for which less is to be done than for each as a float.
func stripsOfType(s *Spec, t quant.Type) {
	strip, opened, above, less := "strip_units", "opened_units", 0, float32(0)
	switch t {
	case quant.Q4_0:
		strip, opened, less = "strip_words", "opened_nibbles", 8
	case quant.Q4_1, quant.Q4_K:
		strip, opened = "strip_words", "opened_nibbles"
	case quant.Q5_K:
		opened, above = "opened_above", 1
	case quant.Q6_K:
		strip, opened, above, less = "strip_six", "opened_above", 3, 32
	case quant.Q8_0:
		strip, opened, less = "strip_pairs", "opened_bytes", 128
	case quant.MXFP4:
		strip, opened = "strip_words", "opened_small"
	case quant.IQ4_NL, quant.IQ4_XS:
		strip = "strip_words"
	}
	s.Slots["multiply"], s.Slots["strip"], s.Slots["opened"], s.Unrolled = "multiply_strips", strip, opened, true
	switch opened {
	case "opened_above":
		s.Consts = append(s.Consts, Const{"ABOVE", above}, Const{"CODE_LESS", less})
	case "opened_nibbles", "opened_bytes":
		s.Consts = append(s.Consts, Const{"CODE_LESS", less})
	}
}
