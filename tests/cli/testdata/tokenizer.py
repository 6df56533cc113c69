"""Makes a tokenizer of a text, in the form of the library transformers. usage: tokenizer.py TEXT FOLDER"""
import sys
from tokenizers import Tokenizer, models, pre_tokenizers, decoders, trainers
from transformers import PreTrainedTokenizerFast
book, out = sys.argv[1:]
t = Tokenizer(models.BPE())
t.pre_tokenizer = pre_tokenizers.ByteLevel()
t.decoder = decoders.ByteLevel()
t.train([book], trainers.BpeTrainer(vocab_size=2000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
PreTrainedTokenizerFast(tokenizer_object=t).save_pretrained(out)
