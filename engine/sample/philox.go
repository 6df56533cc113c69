package sample

// Philox returns block ctr of the generator Philox4x32-10 with the given key (Salmon et al., "Parallel random numbers:
// as easy as 1, 2, 3", SC 2011, section 3.4): ten rounds of multiplying, crossing over and adding the round's key.
func Philox(ctr [4]uint32, key [2]uint32) [4]uint32 {
	for range 10 {
		a := uint64(ctr[0]) * 0xD2511F53
		b := uint64(ctr[2]) * 0xCD9E8D57
		ctr = [4]uint32{uint32(b>>32) ^ ctr[1] ^ key[0], uint32(b), uint32(a>>32) ^ ctr[3] ^ key[1], uint32(a)}
		key[0] += 0x9E3779B9
		key[1] += 0xBB67AE85
	}
	return ctr
}

// Uniform returns the 64 random bits that draw a sequence's counter-th token.
func Uniform(seed uint64, counter uint32) uint64 {
	block := Philox([4]uint32{counter}, [2]uint32{uint32(seed), uint32(seed >> 32)})
	return uint64(block[0]) | uint64(block[1])<<32
}
