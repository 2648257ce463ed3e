"""What is shown when: a clock, speeds, and what follows the last frame; without Qt."""
