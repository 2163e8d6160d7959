"""Which backups are kept, why and until when. Pure: a policy, the backups there are and a moment → a judgement."""
