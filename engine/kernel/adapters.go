package kernel

import (
	"math"
	"slices"
)

// Adapter is a LoRA adapter of a step's row: its ranks among all that there is room for.
type Adapter struct {
	First, Ranks int
	Factor       float32
}

// AdapterFour is four of all ranks, from 4·Number on, with a factor each; 0 for those of no adapter.
type AdapterFour struct {
	Number  int
	Factors [4]float32
}

// fourWords are its words in the step buffer.
const fourWords = 5

// AdapterFours lists the fours that adapters have ranks of, in order.
func AdapterFours(adapters []Adapter) (list []AdapterFour) {
	for _, a := range adapters {
		for r := a.First; r < a.First+a.Ranks; r++ {
			i, found := slices.BinarySearchFunc(list, r/4, func(f AdapterFour, number int) int { return f.Number - number })
			if !found {
				list = slices.Insert(list, i, AdapterFour{Number: r / 4})
			}
			list[i].Factors[r%4] = a.Factor
		}
	}
	return list
}

// fours is how many fours of ranks rows of the step have at most; 0: no adapter changes it.
func (s *StepData) fours() (most int) {
	for _, list := range s.Adapters {
		most = max(most, len(list))
	}
	return most
}

// Adapted says whether LoRA adapters change a row of the step.
func (s *StepData) Adapted() bool { return s.fours() > 0 }

// appendAdapters appends for each token its row's list, up to the longest's length: numbers from 1 on, 0 where there is no more, and
// factors.
func (s *StepData) appendAdapters(buf []uint32, most int) []uint32 {
	for r, list := range s.Adapters {
		for range s.Rows[r].Count {
			end := len(buf) + most*fourWords
			for _, f := range list {
				buf = append(buf, uint32(f.Number)+1)
				for _, factor := range f.Factors {
					buf = append(buf, math.Float32bits(factor))
				}
			}
			for len(buf) < end {
				buf = append(buf, 0)
			}
		}
	}
	return buf
}
