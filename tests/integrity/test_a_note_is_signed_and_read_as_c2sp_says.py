import pytest

from ledger.errors import MalformedKey, MalformedNote
from ledger.integrity.checkpoint import Checkpoint, SignedCheckpoint
from ledger.integrity.note import NOTE_BYTES_MAX, Note, SigningKey, VerifierKey, sign_note

# The key and the note that the documentation of Go's golang.org/x/mod/sumdb/note gives as its example.
SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = (
    TEXT + "\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The example of https://c2sp.org/tlog-checkpoint.
CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)


def test_the_published_key_signs_the_published_note() -> None:
    key = SigningKey.parse(SECRET)

    assert str(key.verifier) == PUBLIC
    assert str(sign_note(TEXT, [key])) == NOTE
    assert key.secret_text() == SECRET + "\n"
    assert "AYEK" not in repr(key)


def test_the_published_note_is_read_and_believed() -> None:
    key = VerifierKey.parse(PUBLIC)

    assert Note.parse(NOTE).signers([key]) == [key]
    assert str(Note.parse(NOTE)) == NOTE


def test_the_published_checkpoint_is_read() -> None:
    signed = SignedCheckpoint.parse(CHECKPOINT)

    assert (signed.checkpoint.origin, signed.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert signed.checkpoint.root.hex().startswith("0ac5186a9186")
    assert CHECKPOINT.startswith(signed.checkpoint.text)
    assert str(signed.note) == CHECKPOINT


def test_a_signature_over_another_text_is_refused_and_one_of_a_stranger_is_passed_over() -> None:
    key, stranger = VerifierKey.parse(PUBLIC), SigningKey.create("PeterNeumann").verifier

    with pytest.raises(MalformedNote, match="over this text"):
        Note.parse(NOTE.replace("your problem,", "my problem,")).signers([key])
    assert Note.parse(NOTE).signers([stranger]) == []
    assert Note.parse(NOTE + "— witness AAAAAAECAwQ=\n").signers([key]) == [key]


@pytest.mark.parametrize(
    "text",
    ["", "text", "text\n", "text\n\n", "text\n\n— a\n", "text\n\n- a AAAAAAECAwQ=\n", "text\n\n— a AAAA\n",
     "text\n\n— a !\n", "te\rxt\n\n— a AAAAAAECAwQ=\n", "text\n\n— a AAAAAAECAwQ=", "x" * NOTE_BYTES_MAX + "\n\n",
     "text\n\n" + "— a AAAAAAECAwQ=\n" * 65],
)  # fmt: skip
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(MalformedNote):
        Note.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "o\n", "o\n1\n", "o\n01\nAAAA\n", "o\n-1\nAAAA\n", "o\n1\nAAAA\n", f"o\n{'9' * 30}\n{'A' * 43}=\n",
     f"o\n²\n{'A' * 43}=\n", f"\n1\n{'A' * 43}=\n"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedNote):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "a+b", "a b+c74f20a3+AAAA", PUBLIC.replace("c74f20a3", "c74f20a4"), PUBLIC.replace("+ARpc", "+AhpC"),
     "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann+c74f20a3+!"],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedKey):
        VerifierKey.parse(text)
    with pytest.raises(MalformedKey):
        SigningKey.parse(f"PRIVATE+KEY+{text}")
