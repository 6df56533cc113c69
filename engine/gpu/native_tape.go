//go:build !js

package gpu

import "fmt"

// operandCount is the number of operands of each tape operation.
var operandCount = [...]int{opWrite: 4, opKernel: 1, opBind: 1, opDispatch: 3, opCopy: 5, opClear: 3, opSplit: 0, opMap: 2, opTimed: 1}

// tapeHandles answers whether handles on a tape are alive.
type tapeHandles interface {
	hasBuffer(int32) bool
	hasKernel(int32) bool
	hasGroup(int32) bool
}

// checkTape proves that a tape is whole and names only living objects, so that the replay need not look. It returns
// how many passes are timed.
func checkTape(h tapeHandles, tape []int32, data int) (passes int, err error) {
	for at := 0; at < len(tape); {
		op := tape[at]
		if op <= 0 || int(op) >= len(operandCount) || at+operandCount[op] >= len(tape) {
			return 0, fmt.Errorf("gpu: the tape is broken at word %d: operation %d", at, op)
		}
		args := tape[at+1 : at+1+operandCount[op]]
		alive := true
		switch op {
		case opWrite:
			alive = h.hasBuffer(args[0])
			if args[2] < 0 || args[3] < 0 || int(args[2])+int(args[3]) > data {
				return 0, fmt.Errorf("gpu: the tape writes bytes %d to %d of %d", args[2], int(args[2])+int(args[3]), data)
			}
		case opKernel:
			alive = h.hasKernel(args[0])
		case opBind:
			alive = h.hasGroup(args[0])
		case opCopy:
			alive = h.hasBuffer(args[0]) && h.hasBuffer(args[2])
		case opClear, opMap:
			alive = h.hasBuffer(args[0])
		case opTimed:
			passes = max(passes, int(args[0])+1)
		}
		if !alive {
			return 0, fmt.Errorf("%w: the tape's operation %d at word %d names a released object", ErrReleased, op, at)
		}
		at += 1 + operandCount[op]
	}
	return passes, nil
}
