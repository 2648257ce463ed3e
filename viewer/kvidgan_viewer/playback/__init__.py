"""Playback: playhead, speeds and ways of looping, without Qt."""
