package schedule_test

import (
	"fmt"

	"quire/engine/schedule"
	"quire/engine/step"
)

// Two requests in one step loop. A real loop gives each step to the GPU; this one samples the same token always.
func Example() {
	s, err := schedule.New(schedule.Config{Blocks: 100, TokenBudget: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	for id, length := range []int{12, 18} {
		if err := s.Add(schedule.Request{ID: uint64(id), Prompt: make([]int32, length), MaxTokens: 2}); err != nil {
			fmt.Println(err)
		}
	}
	var st step.Step
	for d := s.Schedule(&st); d.Kind == schedule.Run; d = s.Schedule(&st) {
		fmt.Print("step ", d.Step, ":")
		for _, row := range st.Rows {
			fmt.Print(" sequence ", row.Sequence, " computes ", row.Count)
		}
		fmt.Println()
		var sampled []int32
		for _, o := range st.Outputs {
			if o.Sample {
				sampled = append(sampled, 7)
			}
		}
		landed, err := s.Land(d.Step, sampled)
		if err != nil {
			fmt.Println(err)
		}
		for _, l := range landed {
			if l.Reason == schedule.Length {
				fmt.Println("sequence", l.Sequence, "has all its tokens")
			}
		}
	}
	// Output:
	// step 1: sequence 0 computes 12 sequence 1 computes 8
	// step 2: sequence 0 computes 1 sequence 1 computes 10
	// sequence 0 has all its tokens
	// step 3: sequence 1 computes 1
	// sequence 1 has all its tokens
}
