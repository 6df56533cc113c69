package model

import (
	"fmt"

	"quire/engine/gguf"
)

// notModel says what a value of general.type is whose files cannot run by themselves, "" for others.
func notModel(kind string) string {
	switch kind {
	case "adapter":
		return "a LoRA adapter, which only changes a model: name the model's file"
	case "mmproj":
		return "the part that reads images for a model (mmproj): name the model's file"
	case "imatrix":
		return "an importance matrix, which quantizers read: name the model's file"
	}
	return ""
}

// checkWhole refuses files that are no model by themselves: one shard of several, an adapter, a vocabulary.
func checkWhole(f *gguf.File) error {
	kind, _, err := f.Metadata.String("general.type")
	if err != nil {
		return err
	}
	if what := notModel(kind); what != "" {
		return fmt.Errorf("%w: the file is %s", ErrUnsupported, what)
	}
	const countKey, noKey, tensorsKey = "split.count", "split.no", "split.tensors.count"
	var count, no, tensors int64
	for _, field := range []struct {
		key string
		to  *int64
	}{{countKey, &count}, {noKey, &no}, {tensorsKey, &tensors}} {
		if *field.to, _, err = f.Metadata.Int64(field.key); err != nil {
			return err
		}
	}
	const join = "give its files their names again, which end in -00001-of-00002.gguf and so on, and lay them side by side; in the tab give all of them at once"
	switch {
	case count > 1:
		return fmt.Errorf("%w: the file is shard %d of %d of a split model (%s, %s): %s", ErrUnsupported, no+1, count, noKey, countKey, join)
	case tensors > int64(len(f.Tensors)):
		return fmt.Errorf("%w: the file is one shard of a split model: %s is %d, and it has %d tensors: %s", ErrUnsupported, tensorsKey, tensors, len(f.Tensors), join)
	case len(f.Tensors) == 0:
		return fmt.Errorf("%w: the file has no tensors: it holds a vocabulary only, which tokenize and detokenize work on", ErrUnsupported)
	}
	return nil
}
