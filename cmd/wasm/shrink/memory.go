package main

const (
	inFirst    = 0 // active, in the module's one memory
	mostMemory = 1 << 28
)

// memory gives what lies in memory when the program starts.
func memory(body []byte) ([]byte, error) {
	r := reader{body}
	segments, err := r.number()
	if err != nil {
		return nil, err
	}
	var image []byte
	for range segments {
		var head [2]byte
		for i := range head {
			if head[i], err = r.byte(); err != nil {
				return nil, err
			}
		}
		address, err := r.signed()
		if err != nil {
			return nil, err
		}
		end, err := r.byte()
		if err != nil {
			return nil, err
		}
		data, err := r.bytes()
		if err != nil {
			return nil, err
		}
		if head != [2]byte{inFirst, constant} || end != endOfBlock || address < 0 || address > mostMemory {
			return nil, errForm
		}
		if missing := int(address) + len(data) - len(image); missing > 0 {
			image = append(image, make([]byte, missing)...)
		}
		copy(image[address:], data)
	}
	return image, nil
}
