import json

import numpy as np
import pytest

from kvidgan.data.poses import CLASSES, Person, draw_people, read_people
from kvidgan.errors import UserError

# A figure that stands upright, seen from the front, in the order of BODY_25.
BODY_25 = [
    (60, 20), (60, 40), (45, 40), (35, 60), (30, 80), (75, 40), (85, 60), (90, 80), (60, 90),
    (52, 90), (50, 120), (50, 150), (68, 90), (70, 120), (70, 150), (56, 16), (64, 16), (52, 18),
    (68, 18), (75, 155), (78, 155), (68, 154), (45, 155), (42, 155), (52, 154),
]  # fmt: skip
COCO = [BODY_25[place] for place in (*range(8), *range(9, 15), *range(15, 19))]
# Halfway along each limb: (y, x) and the class that is there.
HALFWAY = {
    (30, 60): "head", (65, 60): "torso", (40, 52): "torso", (60, 50): "torso",
    (85, 64): "torso", (50, 40): "right upper arm",
    (70, 32): "right forearm", (50, 80): "left upper arm", (70, 88): "left forearm",
    (105, 51): "right thigh", (135, 50): "right shin", (105, 69): "left thigh",
    (135, 70): "left shin",
}  # fmt: skip
FEET = {(152, 48): "right foot", (152, 72): "left foot"}
SIZE = (170, 120)


def flat(points, confidence=0.9):
    return [value for x, y in points for value in (x, y, confidence)]


def save(path, *people):
    path.write_text(json.dumps({"version": 1.3, "people": list(people)}))
    return path


@pytest.mark.parametrize(("body", "places"), [(BODY_25, HALFWAY | FEET), (COCO, HALFWAY)])
def test_limbs_are_where_the_points_are(tmp_path, body, places):
    people = read_people(save(tmp_path / "a.json", {"pose_keypoints_2d": flat(body)}))
    labels = draw_people(people, SIZE)
    assert {place: CLASSES[labels[place]] for place in places} == places
    assert (labels.shape, labels.dtype, labels[5, 5]) == (SIZE, np.uint8, 0)


def test_limbs_become_wider_with_the_figure():
    def width(scale):
        body = np.array([(*np.multiply(point, scale), 0.9) for point in BODY_25])
        labels = draw_people([Person(body, {})], (170 * scale, 120 * scale))
        return (labels[135 * scale, 40 * scale : 60 * scale] == CLASSES.index("right shin")).sum()

    thirtieths = [139 * scale / 30 for scale in (1, 2, 4)]
    assert [width(1), width(2), width(4)] == pytest.approx(thirtieths, abs=2.5)


def test_points_of_low_confidence_are_left_out(tmp_path):
    values = flat(BODY_25)
    values[3 * 4 + 2] = 0.05  # the right wrist
    values[3 * 7 : 3 * 8] = [0, 0, 0]  # the left one, not found
    (person,) = read_people(save(tmp_path / "a.json", {"pose_keypoints_2d": values}))
    found = {CLASSES[value] for value in np.unique(draw_people([person], SIZE))}
    assert not {"right forearm", "left forearm"} & found
    assert {"right upper arm", "left upper arm"} <= found


def test_faces_and_hands(tmp_path):
    ring = [(60 + 10 * np.cos(a), 20 + 10 * np.sin(a)) for a in np.linspace(0, np.pi, 17)]
    face = ring + [(60, 20)] * 53
    hand = [(90, 80 + place) for place in range(21)]
    person = {
        "pose_keypoints_2d": flat(BODY_25),
        "face_keypoints_2d": flat(face),
        "hand_left_keypoints_2d": flat(hand),
        "hand_right_keypoints_2d": [],
    }
    labels = draw_people(read_people(save(tmp_path / "a.json", person)), SIZE)
    assert CLASSES[labels[30, 60]] == "face"
    assert CLASSES[labels[90, 90]] == "left hand"
    assert CLASSES.index("right hand") not in labels


def test_several_people_the_larger_in_front():
    def person(scale, x):
        points = [(*np.add(np.multiply(point, scale), (x, 0)), 0.9) for point in BODY_25]
        return Person(np.array(points), {})

    small, large = person(0.5, 20), person(1.0, 0)
    both = draw_people([large, small], SIZE)
    assert (both == draw_people([small, large], SIZE)).all(), "their order in the file is nothing"
    alone = draw_people([large], SIZE)
    assert (both[alone > 0] == alone[alone > 0]).all()
    assert ((both > 0) & (alone == 0)).any()
    assert not draw_people([], SIZE).any()


def test_points_beyond_the_frame():
    body = np.array([(x * 1e7, y - 300, 0.9) for x, y in BODY_25])
    assert draw_people([Person(body, {})], SIZE).shape == SIZE


def test_keys_of_older_versions(tmp_path):
    (person,) = read_people(save(tmp_path / "a.json", {"pose_keypoints": flat(COCO)}))
    assert person.body[3].tolist() == [35, 60, 0.9]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is damaged or not of OpenPose"),
        ("[]", "is damaged or not of OpenPose"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "is damaged or not of OpenPose"),
        ('{"people": [{"pose_keypoints_2d": ["a", 2, 3]}]}', "is damaged or not of OpenPose"),
        ('{"people": [{"pose_keypoints_2d": [NaN, 2, 3]}]}', "is damaged or not of OpenPose"),
        ('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', r"expected 25 points .* found 1"),
        ('{"people": [{}]}', r"expected 25 points .* found 0"),
    ],
)
def test_files_that_are_none(tmp_path, text, said):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=said):
        read_people(tmp_path / "a.json")


def test_fractions_of_a_frame(tmp_path):
    path = save(tmp_path / "a.json", {"pose_keypoints_2d": flat(np.divide(COCO, 200))})
    with pytest.raises(UserError, match=r"points from 0 to 1: expected pixels; .*keypoint_scale 0"):
        read_people(path)
