//go:build !js

package hubtest

// Choice is a name's quantization, what a repository has, and the files that are meant; or what the error says.
type Choice struct {
	Name, Quant string
	Files       []string
	Want        string // files, with spaces between
	Fails       bool
}

var usual = []string{"README.md", "m-Q2_K.gguf", "m-Q4_0.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "m-imatrix.gguf", "mmproj-m-F16.gguf", "m-f16.gguf"}

var parted = []string{"BF16/m-BF16-00002-of-00002.gguf", "BF16/m-BF16-00001-of-00002.gguf", "m-UD-Q4_K_XL.gguf", "m-Q3_K_S.gguf",
	"Q8_0/m-Q8_0-00001-of-00002.gguf", "Q8_0/m-Q8_0-00002-of-00002.gguf", "Q8_0/m-Q8_0.gguf"}

// Choices is what every host must take a name for.
var Choices = []Choice{
	{"the usual one", "", usual, "m-Q4_K_M.gguf", false},
	{"by name", "Q8_0", usual, "m-Q8_0.gguf", false},
	{"any case", "q8_0", usual, "m-Q8_0.gguf", false},
	{"another spelling", "fp16", usual, "m-f16.gguf", false},
	{"no part of a name", "Q4", usual, "has no Q4", true},
	{"nor a shorter one", "Q4_K", usual, "has no Q4_K", true},
	{"none", "Q6_K", usual, "has no Q6_K", true},
	{"a part after a dash", "Q4_K_XL", parted, "m-UD-Q4_K_XL.gguf", false},
	{"all files, in order", "bf16", parted, "BF16/m-BF16-00001-of-00002.gguf BF16/m-BF16-00002-of-00002.gguf", false},
	{"one file rather than several", "Q8_0", parted, "Q8_0/m-Q8_0.gguf", false},
	{"with what is before it", "i1-q4_k_m", []string{"m.Q4_K_M.gguf", "m.i1-Q4_K_M.gguf"}, "m.i1-Q4_K_M.gguf", false},
	{"one of two models", "13b-Q8_0", []string{"m-7b-Q8_0.gguf", "m-13b-Q8_0.gguf", "m-113b-Q8_0.gguf"}, "m-13b-Q8_0.gguf", false},
	{"what a model was made from", "F16", []string{"m-f16-Q8_0.gguf"}, "has no F16", true},
	{"made with an importance matrix", "", []string{"m-imatrix-Q4_K_M.gguf", "m-imatrix.gguf", "Q8_0/imatrix.gguf"}, "m-imatrix-Q4_K_M.gguf", false},
	{"the next best", "", parted, "m-UD-Q4_K_XL.gguf", false},
	{"the only one", "", []string{"strange.gguf", "mmproj.gguf"}, "strange.gguf", false},
	{"no folder rather than one", "", []string{"a/m-Q4_K_M.gguf", "m-Q4_K_M.gguf"}, "m-Q4_K_M.gguf", false},
	{"several models", "", []string{"a-Q4_K_M.gguf", "b-Q4_K_M.gguf"}, "has several such models", true},
	{"several without a quantization", "", []string{"a.gguf", "b.gguf"}, "has several such models", true},
	{"no model", "", []string{"model.safetensors", "mmproj-f16.gguf"}, "there is no GGUF file", true},
	{"a file that is missing", "", []string{"m-Q4_K_M-00001-of-00002.gguf"}, "number 2 of them, m-Q4_K_M-00002-of-00002.gguf, is not", true},
	{"what there is", "Q5_0", []string{"m-Q4_0.gguf", "m-q8_0.gguf", "other-Q8_0.gguf", "strange.gguf", "mmproj-F16.gguf"},
		"There are hf:o/r/m-q8_0.gguf, hf:o/r/other-Q8_0.gguf, hf:o/r/strange.gguf, hf:o/r:Q4_0", true},
}

// Named is a name and what it means.
type Named struct{ Text, Repo, Revision, Quant, File string }

// Mirror is a hub that Names are of, beside Hugging Face's own.
const Mirror = "https://mirror.example/hub"

// Names are names, and addresses, of which those without a repository are no hub's.
var Names = []Named{
	{"hf:o/r", "o/r", "main", "", ""},
	{"HF:o/r:q8_0", "o/r", "main", "q8_0", ""},
	{"hf://o/r:latest", "o/r", "main", "", ""},
	{"hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M", "bartowski/Llama-3.2-1B-Instruct-GGUF", "main", "Q4_K_M", ""},
	{"huggingface.co/o/r", "o/r", "main", "", ""},
	{"hf:o/r/sub/a.gguf", "o/r", "main", "", "sub/a.gguf"},
	{"hf:o/r:a.Q8_0.gguf", "o/r", "main", "", "a.Q8_0.gguf"},
	{"hf:o/r@v1.0:Q8_0", "o/r", "v1.0", "Q8_0", ""},
	{"hf:o/r@refs/pr/3/a.gguf", "o/r", "refs/pr/3", "", "a.gguf"},
	{"hf:o/r@feature%2Fnew", "o/r", "feature/new", "", ""},
	{"https://huggingface.co/o/r/resolve/main/sub/a%20b.gguf?download=true", "o/r", "main", "", "sub/a b.gguf"},
	{"https://hf.co/o/r/blob/v2/a.gguf", "o/r", "v2", "", "a.gguf"},
	{"https://mirror.example/hub/o/r/tree/v2", "o/r", "v2", "", ""},
	{"https://huggingface.co/o/r", "o/r", "main", "", ""},
	{"https://huggingface.co/datasets/o/r/resolve/main/a.gguf", "", "", "", ""},
	{"https://example.org/o/r/resolve/main/a.gguf", "", "", "", ""},
	{"http://huggingface.co/o/r", "", "", "", ""},
}

// Refused are names that are none, and what the error says.
var Refused = map[string]string{
	"hf:":                  "not a whole name",
	"hf:gpt2":              "not a whole name",
	"hf:o/":                "not a whole name",
	"hf:o/r:":              "not a whole name",
	"hf:o/r/":              "not a whole name",
	"hf:o/r/a.gguf:Q8_0":   "a file and a quantization",
	"hf:../r":              "no repository can be called",
	"hf:o/..":              "no repository can be called",
	"hf:o/a..b":            "no repository can be called",
	"hf:o/r r":             "no repository can be called",
	"hf:o/r/../../a.gguf":  "is refused",
	"hf:o/r//a.gguf":       "is refused",
	"hf:o/r/sub\\a.gguf":   "is refused",
	"hf:o/r/./a.gguf":      "is refused",
	"hf:o/r@..":            "no revision can be called",
	"hf:o/r@..%2F..%2Fx":   "no revision can be called",
	"hf:o/r@a%5Cb":         "no revision can be called",
	"hf:o/r/a.safetensors": "is no .gguf file",
}
