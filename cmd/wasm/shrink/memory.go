package main

import "encoding/binary"

// What stands in a segment of memory before its bytes: kind, address and length.
const segmentHead = 8

const (
	inFirst    = 0    // active, in the module's one memory
	constant   = 0x41 // i32.const
	endOfBlock = 0x0B
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

// segments writes memory, without zeros where that is shorter.
func segments(image []byte) []byte {
	var out []byte
	count := uint64(0)
	for at := 0; at < len(image); {
		if image[at] == 0 {
			at++
			continue
		}
		end, zeros := at, 0 // end is after the last byte that is not 0
		for i := at; i < len(image) && zeros < segmentHead; i++ {
			if zeros++; image[i] != 0 {
				end, zeros = i+1, 0
			}
		}
		out = append(out, inFirst, constant)
		out = append(appendSigned(out, int64(at)), endOfBlock)
		out = appendBytes(out, image[at:end])
		count++
		at = end
	}
	return append(binary.AppendUvarint(nil, count), out...)
}
