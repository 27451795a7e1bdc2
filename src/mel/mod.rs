//! Stage: mel.
