package main

import "encoding/binary"

// Memory holds many short runs of zeros: a segment for what stands between two costs 8 bytes, and so most zeros stay in the file.
// packed leaves them out at 2 bytes a run. A run is the number of zeros before it, the number of its bytes, and the bytes; 255
// zeros stand for as many as the next 4 bytes say.
func packed(image []byte) []byte {
	const fewest = 3 // zeros that end a run
	var out []byte
	for from := 0; from < len(image); {
		zeros := 0
		for from+zeros < len(image) && image[from+zeros] == 0 {
			zeros++
		}
		at := from + zeros
		end := at
		for i := at; i < len(image) && i < at+255 && i-end < fewest; i++ {
			if image[i] != 0 {
				end = i + 1
			}
		}
		if end == at {
			break // zeros to the end
		}
		if zeros < 255 {
			out = append(out, byte(zeros))
		} else {
			out = binary.LittleEndian.AppendUint32(append(out, 255), uint32(zeros))
		}
		out = append(append(out, byte(end-at)), image[at:end]...)
		from = end
	}
	return out
}

const page = 1 << 16 // of memory

// put puts data behind what the program's memory is at first, and returns where.
func (m *module) put(data []byte) (int, error) {
	at, err := m.extend(len(data))
	if err != nil {
		return 0, err
	}
	s, err := m.of(dataSection)
	if err != nil {
		return 0, err
	}
	body := append([]byte{1, inFirst, constant}, appendSigned(nil, int64(at))...)
	s.body = appendBytes(append(body, endOfBlock), data)
	return at, nil
}

// extend makes the memory larger, and returns where it ended.
func (m *module) extend(bytes int) (int, error) {
	s, err := m.of(memorySection)
	if err != nil {
		return 0, err
	}
	const withoutMost = 0
	r := reader{s.body}
	var head [2]uint64 // memories, and the kind of limits
	for i := range head {
		if head[i], err = r.number(); err != nil {
			return 0, err
		}
	}
	pages, err := r.number()
	if err != nil || head != [2]uint64{1, withoutMost} || len(r.left) > 0 || pages*page > mostMemory {
		return 0, errForm
	}
	more := uint64(bytes+page-1) / page
	s.body = binary.AppendUvarint([]byte{1, withoutMost}, pages+more)
	return int(pages * page), nil
}

// spread is the code that spreads what is packed. Its locals are where it reads, where it writes, and a count.
func spread(at, size int) code {
	const from, to, count = 0, 1, 2
	var c code
	c.number(at).op(opSet, from)
	c.op(opLoop, nothing)
	c.op(opGet, from, opLoadByte, 0, 0, opTee, count).number(255).op(opEqual)
	c.op(opIf, nothing)
	c.op(opGet, to, opGet, from, opLoad, 0, 1, opAdd, opSet, to)
	c.op(opGet, from).number(4).op(opAdd, opSet, from)
	c.op(opElse)
	c.op(opGet, to, opGet, count, opAdd, opSet, to)
	c.op(endOfBlock)
	c.op(opGet, to, opGet, from).number(2).op(opAdd, opGet, from, opLoadByte, 0, 1, opTee, count)
	c.op(opBulk, bulkCopy, 0, 0)
	c.op(opGet, to, opGet, count, opAdd, opSet, to)
	c.op(opGet, from, opGet, count, opAdd).number(2).op(opAdd, opTee, from)
	c.number(at+size).op(opLess, opBranchIf, 0, endOfBlock)
	return c
}

// cleared is the code that makes memory zero again.
func cleared(at, size int) code {
	var c code
	return *c.number(at).number(0).number(size).op(opBulk, bulkFill, 0)
}
