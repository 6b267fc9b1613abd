"""The answers to what `ledger.asking` asks: of now, of history, and of any moment before; each from one snapshot.

Nothing here writes. What a followed view lacks, it takes in before it answers, where whoever asks may write.
"""
