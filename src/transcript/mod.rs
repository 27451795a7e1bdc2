//! Stage: transcript.
