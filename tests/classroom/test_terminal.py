"""Text for terminals that cannot show all of it."""

import pytest

from mlcourse.classroom.terminal import in_letters


@pytest.mark.parametrize(
    "written, read",
    [
        ("∇L_q(θ′) − αH", "grad L_q(theta') - alphaH"),
        ("θ₀², h⁻¹", "theta_0^2, h^-^1"),
        ("Übung ✓ 80 %", "Ubung ok 80 %"),
        ("│──┤", "|--+"),
        ("Σ σ Δ", "Sigma sigma Delta"),
        ("e\u0301 ☃", "e <snowman>"),
    ],
)
def test_formulas_and_marks_can_be_read_in_ascii(written, read):
    assert "".join(letter if letter.isascii() else in_letters(letter) for letter in written) == read
