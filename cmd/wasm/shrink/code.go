package main

import "encoding/binary"

// Instructions, on unsigned numbers of 32 bits.
const (
	opLoop, opIf, opElse, opBranchIf = 0x03, 0x04, 0x05, 0x0D
	opGet, opSet, opTee              = 0x20, 0x21, 0x22
	opLoad, opLoadByte, opStore      = 0x28, 0x2D, 0x36
	opEqual, opLess                  = 0x46, 0x49
	opAdd, opSubtract                = 0x6A, 0x6B
	opMultiply, opDivide             = 0x6C, 0x6E
	opAnd, opOr                      = 0x71, 0x72
	opShiftLeft, opShiftRight        = 0x74, 0x76
	opBulk, bulkCopy, bulkFill       = 0xFC, 10, 11
	constant, endOfBlock             = 0x41, 0x0B
	number32, nothing                = 0x7F, 0x40
)

// code is a function's instructions.
type code []byte

func (c *code) op(bytes ...byte) *code {
	*c = append(*c, bytes...)
	return c
}

func (c *code) number(n int) *code {
	*c = appendSigned(append(*c, constant), int64(n))
	return c
}

// unsigned is where an address begins to count, of an instruction that takes one.
func (c *code) unsigned(n int) *code {
	*c = binary.AppendUvarint(*c, uint64(n))
	return c
}

// function makes a function of instructions, with so many locals, which begin as 0.
func function(locals byte, parts ...[]byte) []byte {
	out := []byte{1, locals, number32}
	for _, part := range parts {
		out = append(out, part...)
	}
	return append(out, endOfBlock)
}
