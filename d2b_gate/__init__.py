"""d2b-gate predicts how a change to fine-tuning data will shift a language model's behaviour, before any training.

The life of a change, top to bottom (higher imports lower, never the reverse):

    cli         argv -> Request; prints; maps errors to exit codes
    server      `serve`: a backend behind HTTP
    gate        the pipeline, one short function per stage
    registry    tables name -> "module:attr"
    sources     where the bytes come from: git index, range, blobs, pointers
    store       content-addressed row keys, features and readings
    policy      TOML -> Policy
    formats     bytes -> rows
    probes      what is asked: prompts, readings
    predictors  how behaviour is foretold (numpy at most)
    backends    what runs the model (the only importers of torch)
    forge       what a code forge is told; signed statements
    reports     Verdict -> str
    core        pure types and judgement

Importing this package imports nothing else.
"""

__version__ = "0.1.0"
